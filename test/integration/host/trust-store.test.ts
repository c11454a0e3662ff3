import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { expect, test } from 'vitest';
import { TrustStore } from '../../../src/agent/host/http/trust-store.ts';
import { certificates } from './certificates.ts';
import { temporaryFolder } from './folder.ts';
import { serveHttps } from './servers.ts';

const ours = certificates('127.0.0.1');
/** A file of certificates that has none of ours; another CA of the tests would have the same name. */
const others = '# Of others\n';

/** Whether a server with a certificate of ours is trusted. */
async function isTrusted(store: TrustStore): Promise<boolean> {
  const port = await serveHttps((_request, response) => void response.end(), ours);
  const secureContext = await store.context();
  return new Promise((resolve) => {
    const options = { secureContext, agent: false };
    get(`https://127.0.0.1:${port}/`, options, (response) => resolve(response.statusCode === 200)).on(
      'error',
      () => resolve(false),
    );
  });
}

test('the system is trusted by its file, however its lines are broken, and what changes there counts', async () => {
  const bundle = `${await temporaryFolder()}/ca-bundle.crt`;
  await writeFile(bundle, others);
  const store = new TrustStore(undefined, [`${bundle}.missing`, bundle]);
  expect(await isTrusted(store)).toBe(false);
  const [, begin, text, end] = /(-+BEGIN.*-+)([^-]+)(-+END.*-+)/.exec(ours.ca) ?? [];
  const longLines = text?.replaceAll(/\s/g, '').replaceAll(/.{76}/g, '$&\n');
  await writeFile(bundle, `${others}${begin}\n${longLines}\n${end}\n${ours.ca}`);
  expect(await isTrusted(store)).toBe(true);
});

test('the settings add to it', async () => {
  const folder = await temporaryFolder();
  await writeFile(`${folder}/system.crt`, others);
  await writeFile(`${folder}/own.pem`, ours.ca);
  expect(await isTrusted(new TrustStore(undefined, [`${folder}/system.crt`]))).toBe(false);
  expect(await isTrusted(new TrustStore(`${folder}/own.pem`, [`${folder}/system.crt`]))).toBe(true);
});

test('what cannot be read as a file is passed over', async () => {
  const folder = await temporaryFolder();
  execFileSync('mkfifo', [`${folder}/fifo`]);
  await writeFile(`${folder}/system.crt`, ours.ca);
  // Opened for reading, the memory of a process cannot be read at its begin (EIO).
  const bundles = [folder, `${folder}/fifo`, '/proc/self/mem', `${folder}/system.crt`];
  expect(await isTrusted(new TrustStore(undefined, bundles))).toBe(true);
  expect(await isTrusted(new TrustStore(undefined, [folder]))).toBe(false);
});

test('a system with no such file is asked by Node', async () => {
  expect(await isTrusted(new TrustStore(undefined, []))).toBe(false);
});
