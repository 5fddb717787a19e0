export * from './batcher.ts';
export * from './clock.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './random.ts';
export * from './target-resolver.ts';
