/** The latest time a Date can hold (ECMA-262); a time without end is later. */
export const lastTime = 8.64e15;
