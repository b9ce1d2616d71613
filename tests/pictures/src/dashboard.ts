/** What of a dashboard's JSON is read here. */
import { DataTransformerConfig, FieldConfigSource } from '@grafana/data';

export interface Target {
  refId: string;
  expr: string;
  legendFormat: string;
  format: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  interval?: string;
  hide?: boolean;
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Target[];
  transformations?: DataTransformerConfig[];
  fieldConfig: FieldConfigSource;
  options: any;
  collapsed?: boolean;
  panels?: Panel[];
}

export interface Variable {
  name: string;
  type: 'datasource' | 'query' | 'constant';
  label: string;
  hide: number;
  query: string | { query: string };
  allValue?: string;
  includeAll?: boolean;
  multi?: boolean;
}

export interface Annotation {
  name: string;
  enable: boolean;
  hide: boolean;
  iconColor: string;
  titleFormat: string;
  textFormat: string;
  target: { expr: string; interval: string };
}

export interface Dashboard {
  uid: string;
  title: string;
  description: string;
  refresh: string;
  panels: Panel[];
  links: { title: string; asDropdown: boolean }[];
  templating: { list: Variable[] };
  annotations: { list: Annotation[] };
}

export async function read(uid: string): Promise<Dashboard> {
  const answer = await fetch(`/dashboards/${uid}.json`);
  if (!answer.ok) {
    throw new Error(`no dashboard ${uid}`);
  }
  return answer.json();
}
