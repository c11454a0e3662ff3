import { expect, test } from 'vitest';
import { diagnosisText, summaryText } from '../../../../src/agent/doctor/diagnosis-text.ts';
import type { Diagnosis } from '../../../../src/agent/doctor/probe.ts';

const page = { width: 60, color: false };
const well: Diagnosis = { about: 'cloud', what: 'exchange', level: 'ok', message: 'done', milliseconds: 42 };
const failed: Diagnosis = {
  ...well,
  ...{
    level: 'failure',
    reason: 'VaultForbidden',
    message: `The identity may not read it. ${'word '.repeat(9)}`,
  },
  repair: 'az role assignment create',
};

test('a healthy diagnosis is one line of text if the width allows, and a failed diagnosis has its cause and repair below', () => {
  expect(diagnosisText(well, page)).toBe('ok         42 ms  exchange  done\n');
  expect(diagnosisText({ ...well, message: 'word '.repeat(9).trim() }, page)).toBe(
    'ok         42 ms  exchange\n         word word word word word word word word word\n',
  );
  expect(diagnosisText(failed, page)).toBe(`failure    42 ms  exchange
         VaultForbidden: The identity may not read it. word
         word word word word word word word word
         repair: az role assignment create
`);
});

test('the text of a diagnosis shows only the level in colour', () => {
  const coloured = diagnosisText(failed, { ...page, color: true });
  expect(coloured.startsWith('\u001b[31mfailure\u001b[39m')).toBe(true);
  expect(coloured.slice(17)).toBe(diagnosisText(failed, page).slice(7));
});

test('the summary counts the diagnoses of each level', () => {
  const levels = ['ok', 'ok', 'warning', 'failure', 'failure', 'skipped'] as const;
  expect(summaryText(levels.map((level) => ({ ...well, level })))).toBe(
    '\n2 ok, 1 warning, 2 failures, 1 not checked.\n',
  );
  expect(summaryText([well])).toBe('\n1 ok, 0 warnings, 0 failures.\n');
});
