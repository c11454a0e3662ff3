import { azure } from './azure/driver.ts';
import type { CloudDriver } from './driver.ts';
import { oracle } from './oracle/driver.ts';
import { staticDriver } from './static/driver.ts';

/** A table of clouds by name, such as `clouds`. */
export type Clouds = Readonly<Record<string, CloudDriver>>;

/** Every cloud. An entry here adds the cloud and its settings to every place that depends on the cloud. */
export const clouds = { azure, oracle, static: staticDriver } as const satisfies Clouds;

export type CloudName = keyof typeof clouds;

/** The cloud of a machine that has the signs of no other cloud. */
export const fallbackCloud = 'static' satisfies CloudName;
