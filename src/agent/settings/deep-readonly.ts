/** Data that is read-only at any depth; a Secret keeps its type. */
export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends { reveal(): string }
    ? T
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/** Written settings that are read-only at any depth; lists with literal items keep their tuple types. */
export type DeepReadonlyInput<T> = T extends object
  ? { readonly [Key in keyof T]: DeepReadonlyInput<T[Key]> }
  : T;
