const longest = 72;
const types = ['feat', 'fix', 'perf', 'refactor', 'docs', 'test', 'build', 'ci', 'chore', 'style', 'revert'];
const form = /^(?<type>[a-z]+)(?:\((?<scope>[a-z0-9./-]+)\))?!?: (?<fact>.+)$/;
/**
 * Matches text whose first word is not an imperative, such as "added" or "adds". Imperatives that end in -ed or -ing
 * are exempt.
 */
const notImperative =
  /^(?!(?:bring|string|embed|exceed|feed|need|proceed|seed|shed|speed) )(?:\w+ed|adds|fixes|makes|lets|gives|moves|removes|renames|uses|\w+ing) /;

/** Returns the faults of a commit subject, one sentence each. */
export function subjectFaults(subject: string): readonly string[] {
  const { type = '', fact = '' } = form.exec(subject)?.groups ?? {};
  const faults: readonly (readonly [boolean, string])[] = [
    [subject.length > longest, `It has ${subject.length} characters; ${longest} are allowed.`],
    [fact === '', 'It is not conventional: write "type(folder): what the commit does".'],
    [fact !== '' && !types.includes(type), `Its type is "${type}"; the types are ${types.join(', ')}.`],
    [fact.endsWith('.'), 'It ends with a full stop.'],
    [/^[A-Z][a-z]/.test(fact), 'Its first word is capitalized.'],
    [notImperative.test(fact), 'It is not in the imperative: write "add", not "added" or "adds".'],
  ];
  return faults.filter(([isWrong]) => isWrong).map(([, fault]) => fault);
}
