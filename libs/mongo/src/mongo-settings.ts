import type { ConfigOf, mongodbConfig } from '@posthorn/runtime';
import type { MongoOptions } from './mongo-database.ts';

/** From the variables of a deployment to how MongoDB is reached. */
export function mongoSettingsOf(
  values: ConfigOf<typeof mongodbConfig>,
): Pick<MongoOptions, 'url' | 'database' | 'tlsCaFile' | 'tlsCertificateKeyFile'> {
  return {
    url: values.mongodbUrl,
    database: values.mongodbDatabase,
    tlsCaFile: values.mongodbTlsCaFile ?? undefined,
    tlsCertificateKeyFile: values.mongodbTlsCertificateKeyFile ?? undefined,
  };
}
