import { chmodSync, copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

const postject = 'node_modules/postject/dist/cli.js';
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

export interface Parts {
  /** Node's executable to inject into. */
  readonly base: string;
  /** A Node of the same version that this machine can run. */
  readonly builder: string;
  /** The script that starts first. */
  readonly launcher: string;
  /** Files the launcher can ask for, by name. */
  readonly assets: Readonly<Record<string, string>>;
}

/**
 * Makes `output` a Node single executable of these parts; `work` is for files in between.
 * https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html
 */
export function writeSingleExecutable(parts: Parts, output: string, work: string): void {
  const blob = join(work, 'sea.blob');
  const config = join(work, 'sea.json');
  writeFileSync(config, JSON.stringify(seaConfig(parts, blob)));
  run(parts.builder, ['--experimental-sea-config', config]);

  const part = `${output}.part`;
  copyFileSync(parts.base, part);
  chmodSync(part, 0o755);
  // Its command, not its API, which prints a page of harmless warnings about the sections of Node.
  run(process.execPath, [postject, part, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse]);
  renameSync(part, output);
}

function seaConfig({ launcher, assets }: Parts, output: string) {
  return {
    main: launcher,
    output,
    assets,
    disableExperimentalSEAWarning: true,
    // Nothing from outside becomes a flag of Node: NODE_OPTIONS could load any code.
    execArgvExtension: 'none',
    // OpenSSL reads OPENSSL_CONF, which can name a library to load, before any script of ours runs; and SIGUSR1 would
    // open Node's debugger on a port of the loopback, where any user of the machine could give root commands.
    // Warnings of libraries quote what they read: main.ts prints them without.
    execArgv: ['--openssl-config=/dev/null', '--disable-sigusr1', '--no-warnings'],
    useSnapshot: false,
    useCodeCache: false,
  };
}
