import { expect, test } from 'vitest';
import { endWhenHung } from '../../../../../src/agent/host/systemd/hung-pass.ts';

test('endWhenHung ends the process with a message and exit code 1 only once isAlive returns false', () => {
  let isAlive = true;
  const seen: unknown[] = [];
  const looks: (() => void)[] = [];
  endWhenHung(
    () => isAlive,
    (why) => seen.push(why),
    (look) => looks.push(look),
    (code) => seen.push(code),
  );
  const look = () => looks.map((each) => each());
  look();
  expect(seen).toEqual([]);
  isAlive = false;
  look();
  expect(seen).toEqual([expect.stringContaining('did not end within an hour'), 1]);
});
