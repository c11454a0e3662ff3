import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packaged } from './executable.ts';
import { type LabOn, startOracleLab } from './lab.ts';
import type { Oracle } from './oracle/index.ts';

/** A finding of slipway doctor. */
interface Diagnosis {
  readonly about: string;
  readonly level: string;
}

const dir = join(tmpdir(), `slipway-oracle-lab-${process.pid}`);

describe('a server and an agent on Oracle Cloud', () => {
  let lab: LabOn<Oracle>;

  beforeAll(async () => {
    expect(existsSync(packaged), `${packaged} is there: npm run package makes it`).toBe(true);
    lab = await startOracleLab({
      dir,
      executable: [packaged],
      nodes: ['server', 'agent'],
      passwordLife: 24_000,
    });
    lab.start();
    await lab.waitReady();
  });

  afterAll(async () => {
    await lab?.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  test('are Ready nodes of one cluster', async () => {
    const { stdout } = await lab.node('server').run('kubectl', 'get', 'nodes', '-o', 'json');
    const names = JSON.parse(stdout).items.map((node: { metadata: { name: string } }) => node.metadata.name);
    expect(names.toSorted()).toEqual(['vm-agent', 'vm-server']);
  });

  test('have only the token for their own role in the file join-token', () => {
    const { joinToken, agentToken } = lab.secrets;
    expect(lab.node('server').read('var/lib/slipway/join-token')).toBe(`${joinToken}\n`);
    const agents = lab.node('agent').read('var/lib/slipway/join-token');
    expect(agents).toContain(agentToken);
    expect(agents).not.toContain(joinToken);
  });

  test('have pulled an image with a registry login, and renew the login', async () => {
    expect(lab.node('agent').status()?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Pulls', status: 'True' }),
    );
    await lab.rotated(await lab.passwords());
  });

  test('pass every probe of the cloud that slipway doctor makes', async () => {
    const { stdout } = await lab.node('agent').slipway('doctor', '-o', 'json');
    const diagnoses: readonly Diagnosis[] = JSON.parse(stdout).diagnoses;
    const cloud = diagnoses.filter(({ about }) => about === 'cloud');
    expect(cloud.length).toBeGreaterThan(2);
    expect(cloud.filter(({ level }) => level !== 'ok')).toEqual([]);
  });

  test('write no token and no key of their instance principal to any file', () => {
    const { issued, keys } = lab.cloud.federation;
    const texts = filesBelow(dir).map((path) => readFileSync(path, 'latin1'));
    expect(texts.length).toBeGreaterThan(50);
    const found = [...issued, ...keys.flatMap(linesOf)].filter((secret) =>
      texts.some((text) => text.includes(secret)),
    );
    expect(found).toHaveLength(0);
  });

  test('log no secret, token or key', () => {
    const logs = lab.nodes.flatMap(({ log }) => log).join('\n');
    expect(lab.cloud.canaries().filter((canary) => logs.includes(canary))).toEqual([]);
  });
});

/** Returns the full lines of base64 in a PEM string, each 64 characters long. */
function linesOf(pem: string): readonly string[] {
  return pem.split('\n').filter((line) => line.length === 64);
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}
