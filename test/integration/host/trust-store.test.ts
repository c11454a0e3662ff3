import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { expect, test } from 'vitest';
import { TrustStore } from '../../../src/agent/host/http/trust-store.ts';
import { certificates } from './certificates.ts';
import { temporaryFolder } from './folder.ts';
import { serveHttps } from './servers.ts';

const ours = certificates('127.0.0.1');
/**
 * A bundle without certificates. A bundle with another test CA would not work, since all test CAs have the same name.
 */
const others = '# Of others\n';

/** True if the store trusts a server that uses the certificate of `ours`. */
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

test('the trust store reads a changed system bundle again, with lines of any width', async () => {
  const bundle = `${await temporaryFolder()}/ca-bundle.crt`;
  await writeFile(bundle, others);
  const store = new TrustStore(undefined, [`${bundle}.missing`, bundle]);
  expect(await isTrusted(store)).toBe(false);
  const [, begin, text, end] = /(-+BEGIN.*-+)([^-]+)(-+END.*-+)/.exec(ours.ca) ?? [];
  const longLines = text?.replaceAll(/\s/g, '').replaceAll(/.{76}/g, '$&\n');
  await writeFile(bundle, `${others}${begin}\n${longLines}\n${end}\n${ours.ca}`);
  expect(await isTrusted(store)).toBe(true);
});

test('the trust store adds the CAs in network.caFile', async () => {
  const folder = await temporaryFolder();
  await writeFile(`${folder}/system.crt`, others);
  await writeFile(`${folder}/own.pem`, ours.ca);
  expect(await isTrusted(new TrustStore(undefined, [`${folder}/system.crt`]))).toBe(false);
  expect(await isTrusted(new TrustStore(`${folder}/own.pem`, [`${folder}/system.crt`]))).toBe(true);
});

test('the trust store skips bundles that cannot be read as a file', async () => {
  const folder = await temporaryFolder();
  execFileSync('mkfifo', [`${folder}/fifo`]);
  await writeFile(`${folder}/system.crt`, ours.ca);
  // /proc/self/mem can be opened, but a read at offset 0 fails with EIO.
  const bundles = [folder, `${folder}/fifo`, '/proc/self/mem', `${folder}/system.crt`];
  expect(await isTrusted(new TrustStore(undefined, bundles))).toBe(true);
  expect(await isTrusted(new TrustStore(undefined, [folder]))).toBe(false);
});

test('the trust store uses only the CAs of Node on a system without a bundle', async () => {
  expect(await isTrusted(new TrustStore(undefined, []))).toBe(false);
});
