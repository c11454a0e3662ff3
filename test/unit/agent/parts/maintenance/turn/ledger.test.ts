import { describe, expect, test } from 'vitest';
import {
  emptyLedger,
  grantOf,
  type Ledger,
  ledgerText,
  readLedger,
  withFailure,
  withoutFailures,
  withoutProven,
  withoutSlot,
  withSlot,
} from '../../../../../../src/agent/parts/maintenance/turn/ledger.ts';
import { aFailure, aSlot, nonceOf } from './a-fleet.ts';

const slot = aSlot('agent-1', { now: true });

describe('the ledger', () => {
  test('is read as it was written', () => {
    const written: Ledger = {
      changes: 7,
      slots: [slot],
      failures: [aFailure('agent-2', 'reboot')],
      proven: ['reboot'],
    };
    expect(readLedger(ledgerText(written))).toEqual(written);
    expect(ledgerText(written)).toMatch(/^\{"format":1,/);
  });

  test('of a newer release is read', () => {
    expect(readLedger(JSON.stringify({ ...emptyLedger, format: 2, more: true }))).toEqual(emptyLedger);
  });

  test.each([
    ['no JSON', 'x'],
    ['no slots', '{"format":1,"changes":0,"failures":[],"proven":[]}'],
    ['a slot without a nonce', ledgerText({ ...emptyLedger, slots: [{ ...slot, nonce: '' }] })],
    ['more than 200,000 characters', `${ledgerText(emptyLedger)}${' '.repeat(200_000)}`],
  ])('with %s is not read', (_, text) => {
    expect(readLedger(text)).toBeUndefined();
  });

  test('counts its changes', () => {
    const one = withSlot(emptyLedger, slot);
    expect(withoutSlot(one, slot, true)).toEqual({ ...emptyLedger, changes: 2, proven: [slot.wish] });
    expect(withoutSlot(one, slot, false)).toEqual({ ...emptyLedger, changes: 2 });
    expect(withoutProven(withoutSlot(one, slot, true), [slot.wish])).toEqual({ ...emptyLedger, changes: 3 });
  });

  test('has each slot once', () => {
    expect(withSlot(withSlot(emptyLedger, slot), slot).slots).toEqual([slot]);
  });

  test('keeps at most 100 failures, with at most 200 characters each', () => {
    const nonces = Array.from({ length: 101 }, (_, index) => index.toString(16).padStart(8, '0'));
    const all = nonces.reduce(
      (before, nonce) => withFailure(before, { ...slot, nonce }, 'x'.repeat(300)),
      emptyLedger,
    );
    expect(all.failures).toHaveLength(100);
    expect(all.failures[0]).toMatchObject({ nonce: '00000001', why: 'x'.repeat(200) });
    expect(withoutFailures(all, all.failures.slice(1)).failures).toEqual(all.failures.slice(0, 1));
  });

  test('keeps at most 50 wishes whose first agent has succeeded', () => {
    const wishes = Array.from({ length: 51 }, (_, index) => `upgrade ${index}`);
    const all = wishes.reduce((before, wish) => withoutSlot(before, { ...slot, wish }, true), emptyLedger);
    expect(all.proven).toEqual(wishes.slice(1));
  });
});

test('grantOf returns the fields of its slot that the node needs', () => {
  expect(grantOf(slot)).toEqual({
    digest: slot.digest,
    boot: slot.boot,
    nonce: nonceOf('agent-1'),
    seconds: 300,
    nowhere: false,
    now: true,
  });
});
