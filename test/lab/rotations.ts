/** The part of `npm start` that shows that rotations do not restart K3s. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodePaths } from '../../src/agent/paths.ts';
import { kubelet } from './kubelet.ts';
import { type Lab, type Passwords, provenImage } from './lab.ts';
import { lengthened } from './limits.ts';
import type { LabNode } from './node.ts';
import { pull } from './pull.ts';

/**
 * Waits for `count` rotations on every node, and describes each with `say`. Rejects if K3s restarts, a pull fails, or
 * Slipway does not prove a pull in time.
 */
export async function showRotations(lab: Lab, count: number, say: (text: string) => void): Promise<void> {
  const starts = await Promise.all(lab.nodes.map(startOfK3s));
  let before = await lab.passwords();
  for (let rotation = 1; rotation <= count; rotation += 1) {
    // Passwords issued in the last rotation get the default lifetime of three hours, so that no further rotation
    // follows.
    if (rotation === count) {
      lab.azure.registry().tokenLifetime = 3 * 3_600_000;
    }
    const now = await lab.rotated(before);
    say(`Rotation ${rotation}`);
    for (const [index, node] of lab.nodes.entries()) {
      const proof = await provenPull(node);
      const pulled = await kubeletPulls(lab, node);
      if ((await startOfK3s(node)) !== starts[index]) {
        throw new Error(`K3s on ${node.name} was restarted.`);
      }
      say(
        [
          `  ${node.name.padEnd(13)}  registries.yaml ${digest(before, node)} -> ${digest(now, node)}`,
          `K3s runs since its start ${starts[index]}`,
          `kubelet pulled ${pulled}`,
        ].join(', '),
      );
      say(`  ${''.padEnd(13)}  proof: ${proof}`);
    }
    say('');
    before = now;
  }
}

/**
 * Resolves to the message of the condition Pulls once a pass has proven a pull with the newest password; rejects after
 * 30 s (see limits.ts).
 */
async function provenPull(node: LabNode): Promise<string> {
  const written = node.modifiedAt('etc/rancher/k3s/registries.yaml') ?? 0;
  for (const end = Date.now() + lengthened(30_000); ; await sleep(200)) {
    const proof = node.status()?.conditions.find(({ type }) => type === 'Pulls');
    const isNew = (node.modifiedAt('run/slipway/pull-proof.json') ?? 0) >= written && node.lookedAt > written;
    if (isNew && proof?.status === 'True' && proof.reason === 'InSync') {
      return proof.message;
    }
    if (Date.now() > end) {
      throw new Error(`${node.name} has no proof of a pull: ${proof?.message}`);
    }
  }
}

/** Pulls an image with the login from kubelet's credential provider; resolves to the image and its size as text. */
async function kubeletPulls(lab: Lab, node: LabNode): Promise<string> {
  const { k3s } = nodePaths(node.root);
  const asking = kubelet({ binDir: k3s.credentialProviderBin, config: k3s.credentialProvider });
  const credential = await asking.credentialsFor(provenImage);
  if (!credential) {
    throw new Error(`kubelet on ${node.name} got no login: ${asking.log.join('; ')}`);
  }
  const { proxyUrl, caFile } = lab.azure;
  const { bytes } = await pull(provenImage, { credential, proxyUrl, caFile });
  return `${provenImage} (${bytes} bytes)`;
}

/** Resolves to the first eight characters of the K3s unit's invocation ID, which differs for each start. */
async function startOfK3s(node: LabNode): Promise<string> {
  const { InvocationID = '' } = await node.show(node.name === 'server' ? 'k3s' : 'k3s-agent', 'InvocationID');
  return InvocationID.slice(0, 8);
}

function digest(passwords: Passwords, { name }: LabNode): string {
  return createHash('sha256')
    .update(passwords[name] ?? '')
    .digest('hex')
    .slice(0, 8);
}
