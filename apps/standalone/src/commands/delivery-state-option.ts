import { deliveryStates, type DeliveryState } from '@posthorn/models';
import { Option } from 'commander';
import { CliError, exitCodes } from '../exit-codes.ts';

/** `--state`, several times: states of deliveries. */
export function deliveryStateOption(): Option {
  return new Option('--state <state>', 'only these; may be repeated').argParser(
    (text: string, previous: readonly DeliveryState[] | undefined): readonly DeliveryState[] => {
      const state = deliveryStates.find((known) => known === text);
      if (!state) {
        throw new CliError(exitCodes.usage, `--state ${text}: there are ${deliveryStates.join(', ')}.`);
      }
      return [...(previous ?? []), state];
    },
  );
}
