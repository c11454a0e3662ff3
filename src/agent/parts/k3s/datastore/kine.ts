import type { DatabaseFacts, DatabaseQueries } from '../../../engine/database.ts';
import { NodeError } from '../../../engine/errors.ts';

/**
 * The queries to a copy of the datastore, whose only table is Kine's (kine, pkg/drivers/sqlite): how many rows are
 * objects of Kubernetes, the newest revision, and the names of the bootstrap data, each of which ends with the digest
 * of a token.
 */
export const kineQueries: DatabaseQueries = {
  objects: "SELECT count(*) FROM kine WHERE name GLOB '/registry/*'",
  revision: 'SELECT max(id) FROM kine',
  bootstrap: `SELECT name FROM kine AS one WHERE name GLOB '/bootstrap/*' AND deleted = 0
    AND id = (SELECT max(id) FROM kine WHERE name = one.name)`,
};

/** The facts that a copy of the datastore has to show. */
export interface KineFacts {
  readonly objects: number;
  readonly revision: number;
  /** The digests (12 hex digits) of the tokens with which bootstrap data is stored; usually one. */
  readonly tokens: readonly string[];
}

/**
 * Returns the facts about the datastore in a database. Throws `DatabaseDamaged` if the database has no object of
 * Kubernetes or no bootstrap data, without which K3s would begin a new cluster. `path` is for the message.
 */
export function kineFacts({ answers }: DatabaseFacts, path: string): KineFacts {
  const [objects, revision] = [Number(answers.objects?.[0]), Number(answers.revision?.[0])];
  const tokens = (answers.bootstrap ?? []).map((name) => name.slice('/bootstrap/'.length));
  if (!(objects > 0) || tokens.length === 0) {
    const lack = objects > 0 ? 'bootstrap data of K3s' : 'objects of Kubernetes';
    throw new NodeError(
      'DatabaseDamaged',
      `${path} is a database without ${lack}, so K3s cannot start from it.`,
    );
  }
  return { objects, revision, tokens };
}
