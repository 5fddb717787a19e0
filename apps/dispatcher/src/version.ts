import manifest from '../package.json' with { type: 'json' };

/** Posthorn's version. */
export const version: string = manifest.version;
