import { startStackPlatform } from '@posthorn/stack';
import { describeKeyedOrder } from '../order.contract.ts';

describeKeyedOrder('two dispatchers', async () => {
  const platform = await startStackPlatform({
    counts: { dispatcher: 2 },
    spareDispatchers: 1,
    security: 'tokens',
  });
  const third = platform.process('dispatcher', 3);
  return {
    url: platform.url,
    urls: platform.urls,
    operatorKey: platform.operatorKey,
    isOneProcess: false,
    async crash() {
      const first = platform.process('dispatcher', 1);
      await first.kill();
      await first.start();
    },
    moves: [() => third.start(), () => third.stop()],
    explain: (work) => platform.explain(work),
    dispose: () => platform.dispose(),
  };
});
