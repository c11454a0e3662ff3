/** The latest time a Date can hold (ECMA-262); what never ends is later. */
export const lastTime = 8.64e15;
