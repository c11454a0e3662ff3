import * as z from 'zod/mini';
import { type Consent, consents, forEachConsent } from '../consents.ts';
import { listedRange } from '../ipv4-range.ts';
import { privateRange } from '../network-forms.ts';
import { type Problem, valueAt } from '../path.ts';
import { about, type SettingsSection, type Written } from '../section.ts';

const subjects = z.array(z.string());

function consentTo(what: Consent) {
  const { about: description, example, takesTrue } = consents[what];
  const must = `must be a list of what its condition prints, such as ["${example}"]`;
  return about(
    description,
    takesTrue !== false ? z.union([subjects, z.boolean()], must) : z.array(z.string(must), must),
  );
}

const schema = about(
  'The dangerous changes that Slipway may make. The condition that waits for a consent prints the line to add. The line allows only this change, and usually has no further effect after the change. Entries of `foreignMirrors`, `identityHosts`, `imageRules` and `plainHttp`, a unit without a start in `restart`, and a node without a VM in `rebuiltNodes`, apply as long as the settings list them.',
  z.strictObject(forEachConsent(consentTo)),
);

export const consent = {
  schema: schema,
  defaults: forEachConsent(() => []),
  misfits: untimelyNatRemovals,
} as const satisfies SettingsSection<typeof schema>;

/**
 * Lists each consent to remove NAT for a range that still has NAT: such a consent would allow a later, accidental
 * removal of the range.
 */
function untimelyNatRemovals({ natRemoval }: Written, settings: Written): readonly Problem[] {
  const served = listIn(valueAt(settings, ['network', 'nat', 'from'])).flatMap(servedRange);
  const untimely: readonly unknown[] = served.length === 0 ? [] : [...served, 'all'];
  const message = 'is given for a range that network.nat.from still names; take this entry out';
  return listIn(natRemoval).flatMap((subject, at) =>
    untimely.includes(subject) ? [{ path: ['natRemoval', at], message }] : [],
  );
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Returns a valid range in the form that a consent uses; an empty list for any other value. */
function servedRange(value: unknown): readonly string[] {
  const { success, data } = z.safeParse(privateRange, value);
  return success ? [listedRange(data)] : [];
}
