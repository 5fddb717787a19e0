import type { ServiceDefinition, ServiceRegistration } from '@posthorn/rpc';

type RegisteredMethod = ServiceRegistration['methods'][number];

/** Knows which calls are under way, so that one can wait for those that began before now. */
export interface OpenCalls {
  /** The same service, whose unary calls are known from now on. */
  track<D extends ServiceDefinition>(service: ServiceRegistration<D>): ServiceRegistration<D>;
  /** Resolves when every call that is under way now has ended, however; those that begin meanwhile aren't waited for. */
  settled(): Promise<void>;
}

export function createOpenCalls(): OpenCalls {
  const open = new Set<Promise<unknown>>();

  function tracked(method: RegisteredMethod): RegisteredMethod {
    if (method.kind === 'stream') return method;
    return {
      ...method,
      handle(request, ctx) {
        const call = method.handle(request, ctx);
        const ended: Promise<unknown> = call.then(forget, forget);
        open.add(ended);
        function forget(): void {
          open.delete(ended);
        }
        return call;
      },
    };
  }

  return {
    track: (service) => ({ ...service, methods: service.methods.map(tracked) }),
    async settled() {
      await Promise.all(open);
    },
  };
}
