import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Architecture, toolchains } from '../../packaging/architecture.ts';
import { commandFor } from '../../packaging/emulator.ts';
import { ignored, packaged, runProgram } from './executable.ts';

const foreign: Architecture = process.arch === 'arm64' ? 'x64' : 'arm64';
const command = commandFor(foreign, packaged(foreign));
const hostile = {
  NODE_EXTRA_CA_CERTS: '/evil.pem',
  NODE_V8_COVERAGE: '/evil',
  SSL_CERT_FILE: '/evil.pem',
  AZURE_CLIENT_ID: 'evil',
};

// The kernel cannot start an executable for another processor, so slipway cannot restart itself without the hostile
// variables.
test.for([
  [['version'], 0, /^slipway /],
  [['config', '--cloud', 'static', '--role', 'server'], 0, /^role: server/m],
  [
    [
      'plan',
      '--cloud',
      'static',
      '--set',
      'static.address=10.0.1.5',
      '--role',
      'agent',
      '--server',
      '10.0.1.4',
    ],
    2,
    /Nothing was changed/,
  ],
] as const)(
  'with hostile variables, the executable for another processor runs %j in an emulator, and warns',
  ([[name, ...args], exitCode, stdout], { skip }) => {
    skip(command === undefined, `needs ${toolchains[foreign].emulator[0]}`);
    const root = mkdtempSync(join(tmpdir(), 'slipway-emulated-'));
    try {
      const [file = '', ...first] = command ?? [];
      const rest = name === 'version' ? [] : ['--root', root, ...args];
      const ended = runProgram(file, [...first, name, ...rest], hostile);
      expect(ended).toMatchObject({ exitCode, stdout: expect.stringMatching(stdout) });
      const [ignoredLine, reason] = ended.stderr.split('\n');
      expect(ignoredLine).toBe(ignored(...Object.keys(hostile).sort()));
      expect(reason).toMatch(/cannot be run again without them here/);
    } finally {
      rmSync(root, { recursive: true });
    }
  },
);
