/**
 * Puts deliveries that wait into the database of a platform that is stopped: copies of one that waits there already, each of an event of
 * its own. Publishing a million of them is a matter of minutes, and ends with the same rows.
 */
// eslint-disable-next-line no-restricted-imports -- the platform is stopped meanwhile, and its own code writes no copies
import { DatabaseSync } from 'node:sqlite';

/** Rows of one transaction. */
const step = 50_000;

export function fillSqlite(file: string, count: number): void {
  const database = new DatabaseSync(file);
  try {
    const [waiting] = database
      .prepare('SELECT * FROM deliveries WHERE next_attempt_at IS NOT NULL LIMIT 1')
      .all();
    if (waiting === undefined) throw new Error('No delivery waits that could be copied.');
    const { id, event_id: eventId } = waiting;
    const copyEvents = copyOf(database, 'events', {
      position: 'NULL',
      id: numbered('id'),
      // What the log has handed over already, as after the first attempt.
      unread: '1',
    });
    const copyDeliveries = copyOf(database, 'deliveries', {
      id: numbered('id'),
      event_id: numbered('event_id'),
      claim: 'NULL',
      next_attempt_at: 'created_at + number.value',
    });
    for (let from = 1; from <= count; from += step) {
      const to = Math.min(count, from + step - 1);
      database.exec('BEGIN');
      database.prepare(`${copyEvents} WHERE id = ?`).run(from, to, eventId ?? null);
      database.prepare(`${copyDeliveries} WHERE id = ?`).run(from, to, id ?? null);
      database.exec('COMMIT');
    }
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

/** An id with another end. */
function numbered(column: string): string {
  return `substr(${column}, 1, 24) || printf('%012x', number.value)`;
}

/** Inserts a row for each number from the first parameter to the second one, with these columns and the others as they are. */
function copyOf(database: DatabaseSync, table: string, changed: Readonly<Record<string, string>>): string {
  const columns = database
    .prepare(`SELECT name FROM pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => String(name));
  const values = columns.map((column) => changed[column] ?? column);
  return `WITH RECURSIVE number (value) AS (SELECT CAST(?1 AS INTEGER) UNION ALL SELECT value + 1 FROM number WHERE value < ?2)
    INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM number, ${table}`;
}
