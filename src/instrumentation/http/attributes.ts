/*
 * Names of attributes of OpenTelemetry's semantic conventions for HTTP (1.45), written out: importing
 * them would make every application start later. A test compares them with the conventions' package.
 */

export const HTTP_REQUEST_METHOD = 'http.request.method';
export const HTTP_REQUEST_METHOD_ORIGINAL = 'http.request.method_original';
export const HTTP_REQUEST_BODY_SIZE = 'http.request.body.size';
export const HTTP_RESPONSE_STATUS_CODE = 'http.response.status_code';
export const HTTP_RESPONSE_BODY_SIZE = 'http.response.body.size';
export const HTTP_ROUTE = 'http.route';
export const CODE_FUNCTION_NAME = 'code.function.name';
export const URL_PATH = 'url.path';
export const URL_QUERY = 'url.query';
export const URL_SCHEME = 'url.scheme';
export const SERVER_ADDRESS = 'server.address';
export const SERVER_PORT = 'server.port';
export const CLIENT_ADDRESS = 'client.address';
export const NETWORK_PEER_ADDRESS = 'network.peer.address';
export const NETWORK_PEER_PORT = 'network.peer.port';
export const NETWORK_PROTOCOL_VERSION = 'network.protocol.version';
export const USER_AGENT_ORIGINAL = 'user_agent.original';
export const ERROR_TYPE = 'error.type';
