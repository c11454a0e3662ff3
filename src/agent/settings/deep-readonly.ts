/** Data that nobody may change, at any depth; secrets stay what they are. */
export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends { reveal(): string }
    ? T
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/** The same of what a settings file may say, in which lists are tuples where they are literal. */
export type DeepReadonlyInput<T> = T extends object
  ? { readonly [Key in keyof T]: DeepReadonlyInput<T[Key]> }
  : T;
