/** Make a picture small: `node shrink.mjs FILE...` writes each anew with at most 128 colours. */
import { readFileSync, writeFileSync } from 'node:fs';
import UPNG from 'upng-js';

const COLORS = 128;

for (const file of process.argv.slice(2)) {
  const png = UPNG.decode(readFileSync(file));
  writeFileSync(file, Buffer.from(UPNG.encode(UPNG.toRGBA8(png), png.width, png.height, COLORS)));
}
