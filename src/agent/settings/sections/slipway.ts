import * as z from 'zod/mini';
import { about } from '../about.ts';
import { type Consent, consents, forEachConsent } from '../consents.ts';
import type { SettingsSection } from '../section.ts';

const subjects = z.array(z.string());

function consentTo(what: Consent) {
  const { about: description, example, takesTrue } = consents[what];
  const must = `must be a list of what its condition prints, such as ["${example}"]`;
  return about(
    description,
    takesTrue ? z.union([subjects, z.boolean()], must) : z.array(z.string(must), must),
  );
}

const consentSchema = about(
  'What may happen to this node though it could do harm. The condition that waits for a consent prints the line to add; it covers nothing else, and is spent once that has happened.',
  z.strictObject(forEachConsent(consentTo)),
);

export const consent = {
  schema: consentSchema,
  defaults: forEachConsent(() => []),
} as const satisfies SettingsSection<typeof consentSchema>;

const logSchema = about(
  'What Slipway says.',
  z.strictObject({
    level: about('The least that is logged.', z.enum(['trace', 'debug', 'info', 'warn', 'error'])),
  }),
);

export const log = {
  schema: logSchema,
  defaults: { level: 'info' },
} as const satisfies SettingsSection<typeof logSchema>;
