/** Which media have to be fetched before they can be sent to a chat server. */
import type { MediaSource } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import { traitsOf } from './encode-target.ts';

/** Chat has a place for the URL of an image, and engines for that of sound; files go as bytes or not at all. */
export function needsBytes(source: MediaSource, type: 'image' | 'file' | 'audio', target: EncodeTarget): boolean {
  if (source.kind !== 'url' || !/^https?:/i.test(source.url)) return false;
  const traits = traitsOf(target);
  if (type === 'image') return !traits.fetchesImages;
  return type === 'file' ? traits.takesFiles : !traits.takesEngineFields;
}
