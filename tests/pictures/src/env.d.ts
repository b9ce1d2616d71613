/// <reference types="vite/client" />
declare module 'd3-scale-chromatic';
