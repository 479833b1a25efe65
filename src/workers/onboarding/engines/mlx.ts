/** MLX (mlx_lm.server, mlx_vlm): models without an owner beside a health that answers `{"status": "ok"}`. */
import { objectOf } from '../../read-json.ts';
import type { EngineProfile } from './engine-profile.ts';
import { NO_METADATA } from './engine-profile.ts';

export const mlx: EngineProfile = {
  engine: 'mlx',
  owners: ['mlx', 'mlx-lm', 'mlx-vlm'],
  signs: [],
  looksLike: ({ hasModels, owner, health }) => hasModels && owner === undefined && objectOf(health)['status'] === 'ok',
  readMetadata: () => Promise.resolve(NO_METADATA),
};
