import { isDeepStrictEqual } from 'node:util';
import { digest } from '../../engine/digest.ts';
import type { Change } from '../../engine/resource.ts';
import { withoutLogins } from '../../engine/url-login.ts';
import { type FoundChart, ownFields, type WishedChart } from './chart-object.ts';

/** The differences between a HelmChart and the wish. */
export interface ChartChanges {
  /** Differences that make K3s install the chart again. */
  readonly spec: readonly Change[];
  /** Differences in labels and annotations. */
  readonly metadata: readonly Change[];
}

/** Returns the differences between a HelmChart and the wish; a missing HelmChart is one difference. */
export function chartChanges(found: FoundChart | undefined, wish: WishedChart): ChartChanges {
  if (found === undefined) {
    return { spec: [{ field: 'HelmChart', observed: undefined, desired: 'present' }], metadata: [] };
  }
  const { labels, annotations } = found.metadata;
  return {
    spec: specChanges(found, wish),
    metadata: [...missing(labels, wish.labels), ...missing(annotations, wish.annotations ?? {})],
  };
}

/**
 * Returns the fields that differ from the wish, and Slipway's own fields that the wish no longer has; ignores all
 * others.
 */
function specChanges(found: FoundChart, wish: WishedChart): readonly Change[] {
  const spec: Readonly<Record<string, unknown>> = { ...wish.spec };
  const fields = new Set([...Object.keys(spec), ...ownFields(found)]);
  return [...fields]
    .filter((field) => !isDeepStrictEqual(found.spec[field], spec[field]))
    .map((field) => ({
      field,
      observed: printed(field, found.spec[field]),
      desired: printed(field, spec[field]),
    }));
}

function missing(
  found: Readonly<Record<string, string>> | null | undefined,
  wished: Readonly<Record<string, string>>,
): readonly Change[] {
  return Object.entries(wished)
    .map(([field, desired]) => ({ field, observed: found?.[field], desired }))
    .filter(({ observed, desired }) => observed !== desired);
}

/**
 * Returns a value on one line. Shows only a digest of the chart's values, which may contain a secret. Removes logins
 * from URLs, since another program or an earlier build may have written one.
 */
function printed(field: string, value: unknown): string | undefined {
  if (value === undefined) {
    return undefined;
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return field === 'valuesContent' ? digest(text) : withoutLogins(text);
}
