type Values = Readonly<Record<string, unknown>>;

/** The tags in the metadata of an instance. */
export interface InstanceTags {
  readonly freeformTags?: Values | null | undefined;
  /** Values by namespace and by key. */
  readonly definedTags?: Readonly<Record<string, Values>> | null | undefined;
}

/**
 * Returns the instance tags by lower-case name. Without `namespace`, these are the freeform tags; otherwise, only the
 * defined tags of that namespace. Skips values that are not strings.
 *
 * A policy can reserve a namespace for administrators, while any account that may update an instance can set freeform
 * tags. So a freeform tag never replaces a defined one. Ignores the case of `namespace`, as Oracle does.
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
