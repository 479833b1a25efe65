/** The value of `--priority-scheduler-config`: the path of a YAML file, read and checked when the option is read. */
import type { PrioritySettings } from '../admission/settings.ts';
import { readSettings } from '../admission/settings.ts';
import { readConfigFile } from './file.ts';
import { bad, good, type Kind, show } from './option.ts';

export const prioritySettings: Kind<PrioritySettings> = {
  accepts: 'the path of a scheduler file',
  placeholder: 'file',
  secret: false,
  choices: [],
  read(raw) {
    if (typeof raw !== 'string' || raw.trim() === '') return bad(`${show(raw)} is not the path of a scheduler file`);
    const file = readConfigFile(raw);
    if (file.problems.length > 0) return bad(...file.problems);
    const reading = readSettings(file.entries);
    return reading.ok
      ? good(reading.settings)
      : bad(...reading.complaints.map((complaint) => `file ${raw}, ${complaint}`));
  },
};
