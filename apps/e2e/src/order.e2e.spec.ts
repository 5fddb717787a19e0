import { preparePlatform } from './platform-process.ts';
import { describeKeyedOrder } from './order.contract.ts';

describeKeyedOrder('one process', async () => {
  const process = await preparePlatform();
  await process.start();
  return {
    url: process.url,
    urls: [process.url],
    operatorKey: process.operatorKey,
    isOneProcess: true,
    async crash() {
      await process.kill();
      await process.start();
    },
    moves: [],
    explain: (work) =>
      work().catch((error: unknown) => {
        const last = process.output().slice(-4000);
        throw new Error(`what the platform wrote last:\n${last}`, { cause: error });
      }),
    dispose: () => process.dispose(),
  };
});
