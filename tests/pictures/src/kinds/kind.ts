/** What every drawer is handed. */
import { DataFrame, FieldConfigSource, GrafanaTheme2 } from '@grafana/data';
import { Mark } from '../annotations';
import { Span } from '../moment';
import { replacer } from '../variables';

export interface Drawn {
  frames: DataFrame[];
  options: any;
  fieldConfig: FieldConfigSource;
  width: number;
  height: number;
  span: Span;
  marks: Mark[];
  theme: GrafanaTheme2;
  replace: ReturnType<typeof replacer>;
}
