import type * as z from 'zod/mini';
import { NodeError } from '../engine/errors.ts';
import { printableLine } from '../engine/printable.ts';
import { forPerson } from '../engine/severity.ts';
import { knownAt, knownNamed } from './known-keys.ts';
import { nearest } from './nearest.ts';
import { type Path, type Problem, pathText, valueAt } from './path.ts';

/** Returns one `InvalidSettings` with a line for each problem: `FILE: path.in.it: what is wrong; the repair`. */
export function invalidSettings(lines: readonly string[]): NodeError {
  return new NodeError('InvalidSettings', [...new Set(lines.map(printableLine))].join('\n'), forPerson);
}

type Issue = z.core.$ZodIssue;

/** Returns the issues of a validation in our own wording. `written` is the validated data. */
export function describeIssues(issues: readonly Issue[], written: unknown): readonly Problem[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...issue.path, key], message: unknownKey(issue.path, key) }))
      : [{ path: issue.path, message: describeIssue(issue, valueAt(written, issue.path)) }],
  );
}

function unknownKey(within: Path, key: string): string {
  const sibling = nearest(key, knownAt(within));
  const meant = sibling ? [pathText([...within, sibling])] : knownNamed(key).map(pathText);
  const hint = meant.length > 0 ? `did you mean ${anyOf(meant.map(quoted))}?` : knownHere(within);
  return `is not a setting; ${hint}`;
}

function knownHere(within: Path): string {
  return `known here: ${knownAt(within).join(', ')}`;
}

function describeIssue(issue: Issue, found: unknown): string {
  if (found === undefined) {
    return 'is missing; give it a value';
  }
  if (issue.code === 'invalid_type' && issue.message === unworded) {
    return wrongType(issue.expected, found);
  }
  if (issue.code === 'invalid_value') {
    return wrongChoice(issue.values.map(String), found);
  }
  if (issue.code === 'too_big' && issue.message === unworded) {
    return `must be at most ${issue.maximum}`;
  }
  if (issue.code === 'invalid_key') {
    return `its name ${issue.issues[0]?.message ?? 'is not valid'}`;
  }
  return issue.message;
}

/** Zod's message if the schema has none and no locale is loaded. */
const unworded = 'Invalid input';

function wrongType(expected: string, found: unknown): string {
  const single = typeof found !== 'object';
  if (expected === 'string') {
    return single ? 'must be text; put it in quotes' : 'must be text; write one value';
  }
  if (expected === 'boolean') {
    return 'must be true or false, without quotes';
  }
  if (expected === 'array') {
    return single ? 'must be a list; write it as [value]' : 'must be a list; begin each item with a dash';
  }
  if (expected === 'int' || expected === 'number') {
    return 'must be a whole number, without quotes';
  }
  return 'must be a map of keys and values, such as { key: value }';
}

function wrongChoice(choices: readonly string[], found: unknown): string {
  const meant = typeof found === 'string' ? nearest(found, choices) : undefined;
  return `must be ${anyOf(choices)}${meant ? `; did you mean ${quoted(meant)}?` : ''}`;
}

function anyOf(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;
}

function quoted(text: string): string {
  return `\`${text}\``;
}
