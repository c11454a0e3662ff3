/** The latest time that a Date can represent (ECMA-262), in epoch milliseconds; `Infinity` is later. */
export const lastTime = 8.64e15;
