/** Runs all checks in the emulated machine. */
import { tryCommands } from './commands.ts';
import { report, say } from './console.ts';
import { tryLab } from './lab.ts';
import { tryPackage } from './package.ts';
import { tryService } from './service.ts';

// systemd has just reset the terminal, without ending the line.
say('');
await tryCommands();
await tryService();
await tryPackage();
await tryLab();
report();
process.exit();
