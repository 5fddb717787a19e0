/** Every dialect, and what the ones that are on come to: owners of their prefixes, and sections of the reference. */
import type { GatewayClients } from '../clients.ts';
import type { GatewayConfig } from '../config.ts';
import type { Owner } from '../owner.ts';
import { createDialectHandler, type DialectServeDeps } from './dialect-handler.ts';
import type { Dialect, DialectDeps } from './dialect.ts';
import { createPreoDialect } from './preo/dialect.ts';
import { prefixesOf, type DialectName } from './prefixes.ts';
import { createRapidlyDialect } from './rapidly/dialect.ts';
import { createRicloudDialect } from './ricloud/dialect.ts';
import { namesOf } from './settings.ts';
import { createXurrentDialect } from './xurrent/dialect.ts';

const makers: Readonly<Record<DialectName, (deps: DialectDeps) => Dialect>> = {
  ricloud: createRicloudDialect,
  xurrent: createXurrentDialect,
  rapidly: createRapidlyDialect,
  preo: createPreoDialect,
};

/** What all dialects are made with. */
export interface DialectsDeps extends Omit<DialectDeps, 'settings' | 'config'> {
  readonly clients: GatewayClients;
  readonly config: Pick<GatewayConfig, 'urlPolicy' | 'dialects'>;
}

/** Makes the dialects that are on. */
export function createDialects(deps: DialectsDeps): readonly Dialect[] {
  const { dialects } = deps.config;
  return namesOf(dialects).flatMap((name) => {
    const settings = dialects[name];
    return settings === undefined ? [] : [makers[name]({ ...deps, settings })];
  });
}

/** The owner of everything below the dialect's prefixes. */
export function dialectOwner(dialect: Dialect, deps: DialectServeDeps): Owner {
  const { name, basePaths } = dialect;
  return { name, prefixes: prefixesOf(name, basePaths), handle: createDialectHandler(dialect, deps) };
}
