import { defineConfig } from 'vite';

export default defineConfig({
  build: { outDir: 'built', chunkSizeWarningLimit: 20000, sourcemap: false },
  publicDir: false,
});
