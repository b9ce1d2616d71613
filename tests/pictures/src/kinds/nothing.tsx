/** What a panel says that has no data. */
import { FieldConfigSource } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';

export function Nothing({ fieldConfig }: { fieldConfig: FieldConfigSource }) {
  const theme = useTheme2();
  const style = { fontSize: theme.typography.size.lg, color: theme.colors.text.secondary };
  return (
    <div className="nothing" style={style}>
      {fieldConfig.defaults.noValue || 'No data'}
    </div>
  );
}

export const empty = (frames: { length: number }[]): boolean => frames.every((frame) => !frame.length);
