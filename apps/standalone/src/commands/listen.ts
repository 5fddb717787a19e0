import type { Command } from 'commander';
import type { Io } from '../io.ts';
import type { WithSession } from '../session.ts';
export function addListenCommand(_root: Command, _io: Io, _withSession: WithSession): void {}
