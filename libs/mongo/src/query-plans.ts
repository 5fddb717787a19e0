import type { CommandStartedEvent, Db, Document, MongoClient } from 'mongodb';

/** How the server finds what one command asks for. */
export interface QueryPlan {
  /** `find`, `update`, `delete`, `findAndModify` or `aggregate`. */
  readonly command: string;
  readonly collection: string;
  /** The names of the indexes that are used, each once. */
  readonly indexes: readonly string[];
  /** It reads the whole collection, or sorts in memory. */
  readonly isUnindexed: boolean;
}

/**
 * Listens to the commands that `run` sends, then has the server explain each of them: what is explained is what was
 * asked, and not a copy of it in a test.
 */
export async function explainQueries(
  client: MongoClient,
  db: Db,
  run: () => Promise<unknown>,
): Promise<readonly QueryPlan[]> {
  const commands: Document[] = [];
  const listen = ({ command, databaseName }: CommandStartedEvent): void => {
    if (databaseName === db.databaseName) commands.push(command);
  };
  client.on('commandStarted', listen);
  try {
    await run();
  } finally {
    client.off('commandStarted', listen);
  }
  const plans: QueryPlan[] = [];
  for (const command of commands.flatMap(explainableParts)) {
    const [name = ''] = Object.keys(command);
    const explanation = await db.command({ explain: command, verbosity: 'queryPlanner' });
    const stages = [...stagesOf(explanation)];
    const indexes = new Set(stages.flatMap(indexOf));
    const isUnindexed = stages.some(({ stage }) => stage === 'COLLSCAN' || stage === 'SORT');
    plans.push({ command: name, collection: String(command[name]), indexes: [...indexes], isUnindexed });
  }
  return plans;
}

/** What a command is made of that can be explained, without what belongs to its session. */
function explainableParts(command: Document): Document[] {
  const [name = ''] = Object.keys(command);
  const { updates = [], deletes = [] } = command as { updates?: Document[]; deletes?: Document[] };
  const own = Object.entries(command).filter(
    ([field]) => !sessionFields.has(field) && !field.startsWith('$'),
  );
  switch (name) {
    case 'find':
    case 'findAndModify':
    case 'aggregate':
      return [Object.fromEntries(own)];
    case 'update':
      return updates.map((one) => ({ update: command[name] as unknown, updates: [one] }));
    case 'delete':
      return deletes.map((one) => ({ delete: command[name] as unknown, deletes: [one] }));
    default:
      return [];
  }
}

const sessionFields: ReadonlySet<string> = new Set([
  'lsid',
  'txnNumber',
  'readConcern',
  'writeConcern',
  'maxTimeMS',
  'comment',
]);

/** Every object of an explanation that is a stage of the plan that won. */
function* stagesOf(value: unknown): Generator<Document> {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) yield* stagesOf(item);
    return;
  }
  if ('stage' in value) yield value;
  for (const [name, item] of Object.entries(value)) {
    if (name !== 'rejectedPlans' && name !== 'command') yield* stagesOf(item);
  }
}

/** By id, servers have quicker ways than a scan of its index. */
const byIdStages: ReadonlySet<unknown> = new Set(['IDHACK', 'EXPRESS_CLUSTERED_IXSCAN', 'CLUSTERED_IXSCAN']);

function indexOf({ stage, indexName }: Document): string[] {
  if (typeof indexName === 'string') return [indexName];
  return byIdStages.has(stage) ? ['_id_'] : [];
}
