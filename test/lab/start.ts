/**
 * Implements `npm start`: brings up three nodes on this machine, from nothing to Ready, then shows two rotations of
 * their registry credentials, and an upgrade of K3s. `--keep` keeps the lab running until Ctrl-C.
 */
import { parseArgs } from 'node:util';
import { platforms } from './platforms/index.ts';
import { showPlatform } from './show-platform.ts';

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
await showPlatform(platforms.azure, { keep: values.keep, command: 'npm start --' });
