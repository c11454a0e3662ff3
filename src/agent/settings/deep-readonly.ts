/** Data that is read-only at any depth; a Secret stays as it is. */
export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends { reveal(): string }
    ? T
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/** The same for settings as a file writes them; a list with literal items is a tuple. */
export type DeepReadonlyInput<T> = T extends object
  ? { readonly [Key in keyof T]: DeepReadonlyInput<T[Key]> }
  : T;
