import { describe, expect, test } from 'vitest';
import {
  decideFounding,
  type FoundingFacts,
  type PeerAnswer,
  silence,
} from '../../../../../../../src/agent/parts/k3s/membership/founding/decision.ts';

const a = 'https://10.0.0.6:6443';
const b = 'https://10.0.0.7:6443';
const lb = 'https://k3s.example.com:6443';

function peer(address: string, says: PeerAnswer['says']): PeerAnswer {
  return { address, says, isPeer: true };
}

function elsewhere(says: PeerAnswer['says']): PeerAnswer {
  return { address: lb, says, isPeer: false };
}

const alone: FoundingFacts = {
  record: undefined,
  isMarked: false,
  isStarted: false,
  answers: [peer(a, 'silent'), peer(b, 'silent')],
  silentFor: 0,
  isConsented: false,
  canClaim: true,
  hadCluster: false,
};
const marked = { ...alone, isMarked: true, silentFor: silence };

function told(changes: Partial<FoundingFacts>, base = alone): string {
  const decision = decideFounding({ ...base, ...changes });
  switch (decision.act) {
    case 'join':
      return `join ${decision.server}`;
    case 'wait':
      return `wait for ${decision.for.what}`;
    case 'refuse':
      return `refuse: ${decision.why}`;
    default:
      return decision.act;
  }
}

describe('an unmarked server with an empty disk', () => {
  test.each([
    [
      'joins the first peer that accepts its token',
      { answers: [peer(a, 'silent'), peer(b, 'accepts')] },
      `join ${b}`,
    ],
    [
      'joins although another peer refuses',
      { answers: [peer(a, 'refuses'), peer(b, 'accepts')] },
      `join ${b}`,
    ],
    [
      'keeps the peer that it has chosen, while that peer accepts',
      { answers: [peer(a, 'accepts'), peer(b, 'accepts')], record: { state: 'joins', server: b, at: 1 } },
      `join ${b}`,
    ],
    [
      'chooses another peer if the chosen one is silent',
      { answers: [peer(a, 'accepts'), peer(b, 'silent')], record: { state: 'joins', server: b, at: 1 } },
      `join ${a}`,
    ],
    [
      'joins while K3s runs, as long as nothing is recorded about founding',
      { answers: [peer(a, 'accepts')], isStarted: true },
      `join ${a}`,
    ],
    ['waits for ever while all are silent', { silentFor: 100 * silence, isConsented: true }, 'wait for peer'],
    ['waits without any other server', { answers: [], silentFor: 100 * silence }, 'wait for peer'],
    ['waits for a peer that starts', { answers: [peer(a, 'starting')] }, 'wait for start'],
    [
      'waits if only the registration address answers',
      { answers: [elsewhere('accepts')] },
      'wait for elsewhere',
    ],
    [
      'waits while the name of a peer does not resolve',
      { answers: [peer(a, 'unresolved'), peer(b, 'silent')] },
      'wait for name',
    ],
    [
      'joins although the name of another peer does not resolve',
      { answers: [peer(a, 'unresolved'), peer(b, 'accepts')] },
      `join ${b}`,
    ],
    ['refuses to join with a wrong token', { answers: [peer(a, 'refuses')] }, 'refuse: refused'],
    ['refuses to join another cluster', { answers: [peer(a, 'foreign')] }, 'refuse: foreign'],
  ] as const)('%s', (_, changes, expected) => {
    expect(told(changes)).toBe(expected);
  });
});

describe('a marked server with an empty disk', () => {
  test.each([
    ['joins a peer that accepts its token', { answers: [peer(a, 'accepts')] }, `join ${a}`],
    ['waits while the silence is too short', { silentFor: silence - 1 }, 'wait for silence'],
    ['waits while a peer starts', { answers: [peer(a, 'starting')] }, 'wait for start'],
    [
      'waits while the name of a peer does not resolve',
      { answers: [peer(a, 'unresolved'), peer(b, 'silent')], isConsented: true },
      'wait for name',
    ],
    [
      'waits while the registration address does not resolve',
      { answers: [elsewhere('unresolved')] },
      'wait for name',
    ],
    [
      'never founds beside a registration address that answers',
      { answers: [elsewhere('accepts')] },
      'wait for elsewhere',
    ],
    [
      'never founds beside a peer that refuses its token',
      { answers: [peer(a, 'refuses')] },
      'refuse: refused',
    ],
    [
      'never founds beside a registration address that refuses',
      { answers: [elsewhere('refuses')] },
      'refuse: refused',
    ],
    ['claims the cluster after the silence', {}, 'claim'],
    ['founds with consent and without a claim', { isConsented: true, canClaim: false }, 'found'],
    ['refuses to found without claim and consent', { canClaim: false }, 'refuse: unproven'],
    ['founds after its claim', { record: { state: 'founds', nonce: 'x', at: 1 } }, 'found'],
    [
      'claims again if a crash left the claim open',
      { record: { state: 'claiming', nonce: 'x', at: 1 } },
      'claim',
    ],
    [
      'joins after its claim if a peer accepts and K3s has not started',
      { record: { state: 'founds', at: 1 }, answers: [peer(a, 'accepts')] },
      `join ${a}`,
    ],
    [
      'keeps its decision while K3s starts with it',
      { record: { state: 'founds', at: 1 }, answers: [peer(a, 'accepts')], isStarted: true },
      'stay',
    ],
  ] as const)('%s', (_, changes, expected) => {
    expect(told(changes, marked)).toBe(expected);
  });
});

describe('a marked server that had a cluster', () => {
  test.each([
    ['founds none with consent, which may be an old one', { isConsented: true }, 'refuse: lost'],
    ['claims none', {}, 'refuse: lost'],
    ['founds none by a record of its claim', { record: { state: 'founds', at: 1 } }, 'refuse: lost'],
    ['waits while the silence is too short', { silentFor: silence - 1 }, 'wait for silence'],
    ['joins a peer that accepts its token', { answers: [peer(a, 'accepts')] }, `join ${a}`],
  ] as const)('%s', (_, changes, expected) => {
    expect(told(changes, { ...marked, hadCluster: true })).toBe(expected);
  });
});

test.each([
  ['in ten seconds', alone, 10_000],
  ['in ten seconds during a long silence', { ...marked, silentFor: 0 }, 10_000],
  ['at the end of the silence', { ...marked, silentFor: silence - 3_000 }, 3_000],
])('a waiting server asks again %s', (_, facts, after) => {
  expect(decideFounding(facts)).toMatchObject({ act: 'wait', after });
});
