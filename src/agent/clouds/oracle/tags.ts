type Values = Readonly<Record<string, unknown>>;

/** The tags of an instance in its metadata; absent if it has none. */
export interface InstanceTags {
  readonly freeformTags?: Values | null | undefined;
  /** Values by namespace and key. */
  readonly definedTags?: Readonly<Record<string, Values>> | null | undefined;
}

/**
 * Returns the instance tags by lower-case name: the freeform tags, or with a namespace its defined tags alone.
 *
 * A policy can reserve a namespace to its administrators, while any account that may update an instance sets freeform
 * tags. So a freeform tag never replaces a defined one. Oracle compares namespaces without case.
 */
export function identityTags(
  { freeformTags, definedTags }: InstanceTags,
  namespace?: string,
): Readonly<Record<string, string>> {
  const values = namespace === undefined ? freeformTags : valuesIn(definedTags ?? {}, namespace);
  const texts = Object.entries(values ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name.toLowerCase(), value] as const] : [],
  );
  return Object.fromEntries(texts);
}

function valuesIn(definedTags: Readonly<Record<string, Values>>, namespace: string): Values | undefined {
  const wanted = namespace.toLowerCase();
  return Object.entries(definedTags).find(([name]) => name.toLowerCase() === wanted)?.[1];
}
