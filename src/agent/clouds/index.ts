import { azure } from './azure/driver.ts';
import type { CloudDriver } from './driver.ts';
import { oracle } from './oracle/driver.ts';
import { staticDriver } from './static/driver.ts';

/** A table of clouds by name, such as `clouds`. */
export type Clouds = Readonly<Record<string, CloudDriver>>;

/** The table of all clouds. An entry here adds a cloud and its settings to all code that depends on the cloud. */
export const clouds = { azure, oracle, static: staticDriver } as const satisfies Clouds;

export type CloudName = keyof typeof clouds;

/** The cloud of a machine that has the signs of no other cloud. */
export const fallbackCloud = 'static' satisfies CloudName;
