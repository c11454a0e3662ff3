/** Implements `npm run lab -- COMMAND`, which changes the lab that `npm start -- --keep` runs (see controls.ts). */
import { join } from 'node:path';
import { control, usage } from './controls.ts';

const dir = join(import.meta.dirname, '../../.lab');
const args = process.argv.slice(2);

if (args.length === 0) {
  process.stdout.write(usage);
} else {
  try {
    process.stdout.write(await control(dir, args));
  } catch (thrown) {
    process.stderr.write(`No lab runs (${thrown instanceof Error ? thrown.message : thrown}).\n${usage}`);
    process.exitCode = 1;
  }
}
