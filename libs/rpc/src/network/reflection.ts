/**
 * grpc.reflection.v1: lets tools such as grpcurl learn the contract from the server. The descriptors are generated together
 * with the messages, so nothing is parsed or read from disk here.
 */
import { status as Code } from '@grpc/grpc-js';
import { fileDescriptors, grpcReflectionV1, type FileDescriptor } from '@posthorn/contracts';
import { defineService, type ServiceRegistration } from '../calls/define-service.ts';

type Request = grpcReflectionV1.ServerReflectionRequest;
type Answer = NonNullable<grpcReflectionV1.ServerReflectionResponse['messageResponse']>;

const filesByName = new Map(fileDescriptors.map((file) => [file.name, file]));
const filesBySymbol = new Map(fileDescriptors.flatMap((file) => file.symbols.map((name) => [name, file])));

/** Makes the reflection service of a server that offers these services. */
export function createReflection(serviceNames: readonly string[]): ServiceRegistration {
  return defineService(grpcReflectionV1.ServerReflectionService, {
    serverReflectionInfo(call) {
      call.onMessage((request) => {
        call.send({
          validHost: request.host,
          originalRequest: request,
          messageResponse: answer(request, serviceNames),
        });
      });
      call.onEnd(() => call.end());
    },
  });
}

function answer({ messageRequest }: Request, serviceNames: readonly string[]): Answer {
  switch (messageRequest?.$case) {
    case 'listServices':
      return {
        $case: 'listServicesResponse',
        value: { service: serviceNames.map((name) => ({ name })) },
      };
    case 'fileByFilename':
      return fileAnswer(filesByName.get(messageRequest.value));
    case 'fileContainingSymbol':
      return fileAnswer(filesBySymbol.get(messageRequest.value));
    case 'fileContainingExtension':
    case 'allExtensionNumbersOfType':
      return failure(Code.NOT_FOUND, 'The contract has no extensions.');
    case undefined:
      return failure(Code.INVALID_ARGUMENT, 'The request asks for nothing.');
  }
}

function fileAnswer(file: FileDescriptor | undefined): Answer {
  if (file === undefined) return failure(Code.NOT_FOUND, 'There is no such file or symbol.');
  const needed = [...withDependencies(file)];
  return {
    $case: 'fileDescriptorResponse',
    value: { fileDescriptorProto: needed.map(({ descriptor }) => Buffer.from(descriptor, 'base64')) },
  };
}

/** The file first, then what it depends on, each once. */
function withDependencies(file: FileDescriptor, seen = new Set<FileDescriptor>()): Set<FileDescriptor> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const name of file.dependencies) {
    const dependency = filesByName.get(name);
    if (dependency !== undefined) withDependencies(dependency, seen);
  }
  return seen;
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
