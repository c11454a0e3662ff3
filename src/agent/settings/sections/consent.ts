import * as z from 'zod/mini';
import { type Consent, consents, forEachConsent } from '../consents.ts';
import { about, type SettingsSection } from '../section.ts';

const subjects = z.array(z.string());

function consentTo(what: Consent) {
  const { about: description, example, takesTrue } = consents[what];
  const must = `must be a list of what its condition prints, such as ["${example}"]`;
  return about(
    description,
    takesTrue ? z.union([subjects, z.boolean()], must) : z.array(z.string(must), must),
  );
}

const schema = about(
  'What may happen to this node though it could do harm. The condition that waits for a consent prints the line to add; it covers nothing else, and is spent once that has happened.',
  z.strictObject(forEachConsent(consentTo)),
);

export const consent = {
  schema: schema,
  defaults: forEachConsent(() => []),
} as const satisfies SettingsSection<typeof schema>;
