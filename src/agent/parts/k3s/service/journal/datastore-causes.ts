import type { KnownLine } from './known-line.ts';

const login =
  'Store an endpoint with the right user and password in the secret that datastore.secretName names; Slipway then starts K3s with it.';

/**
 * The lines that K3s logs about an external datastore, from its driver Kine (k3s-io/kine, August 2026) and from the
 * clients of PostgreSQL (jackc/pgx) and MySQL (go-sql-driver/mysql), which quote the words of the server. The messages
 * of Kine were seen with PostgreSQL 15 and PgBouncer; K3s puts words of its own in front of them. With sslmode=prefer,
 * pgx first reports the refusal of TLS on a line of its own, so the entry about TLS comes after those about the login.
 */
export const datastoreCauses: readonly KnownLine[] = [
  {
    // From pkg/util/url.go, ParseURL, and go-sql-driver/mysql, ParseDSN
    pattern:
      /failed to parse datastore DSN URL|parse "(postgres|postgresql|mysql|nats):|invalid DSN|default addr for network/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="starting kubernetes: preparing server: creating storage endpoint: failed to create driver for configured endpoint: failed to parse datastore DSN URL; ensure that parameters containing special characters use percent-encoding: parse \\"postgres://k3s:p%zz@db/k3s\\": invalid URL escape \\"%zz\\""',
    reason: 'DatastoreInvalid',
    fault: 'elsewhere',
    repair: 'Correct the endpoint of the datastore: in the login of a URL, write %40 for @ and %2F for /.',
  },
  {
    // From pkg/drivers/factory.go, New
    pattern: /failed to create driver for .*(unknown driver|invalid datastore endpoint)/s,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="starting kubernetes: preparing server: creating storage endpoint: failed to create driver for configured endpoint: unknown driver"',
    reason: 'DatastoreInvalid',
    fault: 'elsewhere',
    repair: 'Correct the scheme of the endpoint: postgres, mysql, https or nats.',
  },
  {
    // SQLSTATE 28P01 of PostgreSQL, and error 1045 of MySQL
    pattern: /password authentication failed for user|Error 1045\b.*Access denied for user/s,
    sample:
      'time="2026-08-01T10:00:00Z" level=error msg="Failed to ping database connection: failed to connect to `user=k3s database=k3s`:\\n\\t10.0.0.9:5432 (db): tls error: server refused TLS connection\\n\\t10.0.0.9:5432 (db): failed SASL auth: FATAL: password authentication failed for user \\"k3s\\" (SQLSTATE 28P01)"',
    reason: 'DatastoreDenied',
    fault: 'elsewhere',
    repair: login,
  },
  {
    // SQLSTATE 28000 of PostgreSQL: pg_hba.conf lets this host, or a connection without TLS, not in
    pattern: /no pg_hba\.conf entry for host|pg_hba\.conf rejects connection/,
    sample:
      'time="2026-08-01T10:00:00Z" level=error msg="Failed to ping database connection: failed to connect to `user=k3s database=k3s`: 10.0.0.9:5432 (db): server error: FATAL: no pg_hba.conf entry for host \\"10.0.0.5\\", user \\"k3s\\", database \\"k3s\\", no encryption (SQLSTATE 28000)"',
    reason: 'DatastoreDenied',
    fault: 'elsewhere',
    repair:
      'Let this node in on the database server. If the line ends with "no encryption", add sslmode=require to the endpoint.',
  },
  {
    // SQLSTATE 3D000 of PostgreSQL, and error 1049 of MySQL; Kine creates the database only if its user may
    pattern: /database \S+ does not exist|Error 1049\b.*Unknown database/s,
    sample:
      'time="2026-08-01T10:00:00Z" level=error msg="Failed to ping database connection: failed to connect to `user=k3s database=k3s`:\\n\\t10.0.0.9:5432 (db): tls error: server refused TLS connection\\n\\t10.0.0.9:5432 (db): server error: FATAL: database \\"k3s\\" does not exist (SQLSTATE 3D000)"',
    reason: 'DatastoreDenied',
    fault: 'elsewhere',
    repair:
      'Create the database, with the user of the endpoint as its owner, or correct its name in the endpoint.',
  },
  {
    // SQLSTATE 42501 of PostgreSQL, and errors 1044 and 1142 of MySQL
    pattern: /permission denied for (schema|table|database)|Error (1044|1142)\b/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="starting kubernetes: preparing server: creating storage endpoint: failed to create driver for configured endpoint: ERROR: permission denied for schema public (SQLSTATE 42501)"',
    reason: 'DatastoreDenied',
    fault: 'elsewhere',
    repair:
      'Make the user of the endpoint the owner of its database, for example with ALTER DATABASE ... OWNER TO ....',
  },
  {
    // SQLSTATE 53300 of PostgreSQL, and error 1040 of MySQL
    pattern: /too many clients already|remaining connection slots are reserved|Error 1040\b/,
    sample:
      'time="2026-08-01T10:00:00Z" level=error msg="Failed to ping database connection: failed to connect to `user=k3s database=k3s`: 10.0.0.9:5432 (db): server error: FATAL: sorry, too many clients already (SQLSTATE 53300)"',
    reason: 'DatastoreUnreachable',
    fault: 'elsewhere',
    endedBy: 'time',
    repair: 'Let the database server accept more connections, or end those of other clients.',
  },
  {
    // SQLSTATE 42P05 and 26000 of PostgreSQL, behind a pooler that gives each transaction another connection
    pattern: /prepared statement \S+ (already exists|does not exist)/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="starting kubernetes: preparing server: creating storage endpoint: starting kine backend: ERROR: prepared statement \\"stmtcache_076f8879a367\\" already exists (SQLSTATE 42P05)"',
    reason: 'DatastoreDenied',
    fault: 'elsewhere',
    repair:
      'A pooler such as PgBouncer is in transaction mode, which breaks prepared statements. Use session mode, or connect to the database server itself.',
  },
  {
    // From crypto/tls, through pgx and the driver of MySQL
    pattern:
      /(ping (database )?connection|failed to connect to `|create driver for).*(x509: |tls: |server refused TLS)/s,
    sample:
      'time="2026-08-01T10:00:00Z" level=error msg="Failed to ping database connection: failed to connect to `user=k3s database=k3s`: 10.0.0.9:5432 (db): tls error: tls: failed to verify certificate: x509: certificate signed by unknown authority"',
    reason: 'DatastoreDenied',
    fault: 'elsewhere',
    repair: 'Set datastore.caFile to the CA of the database server, or correct sslmode in the endpoint.',
  },
  {
    // From pkg/drivers/generic/generic.go, OpenDB, and from net.Dial
    pattern:
      /(ping (database )?connection|failed to connect to `|create driver for).*(connection refused|no route to host|no such host|i\/o timeout|deadline exceeded|network is unreachable|server misbehaving)/s,
    sample:
      'time="2026-08-01T10:00:00Z" level=error msg="Failed to ping database connection: failed to connect to `user=k3s database=k3s`: 10.0.0.9:5432 (db): dial error: dial tcp 10.0.0.9:5432: connect: connection refused"',
    reason: 'DatastoreUnreachable',
    fault: 'elsewhere',
    endedBy: 'time',
    repair: ({ firewall }) =>
      `Check that the database server runs, and that ${firewall} lets this node reach it. K3s tries again by itself.`,
  },
];
