import { connect } from './connect/index.ts';
import { express, router } from './express/index.ts';
import { fastify } from './fastify/index.ts';
import { findMyWay } from './find-my-way/index.ts';
import type { FrameworkDefinition } from './framework.ts';
import { graphql } from './graphql/index.ts';
import { grpc } from './grpc/index.ts';
import { hapi } from './hapi/index.ts';
import { hono } from './hono/index.ts';
import { koa } from './koa/index.ts';
import { nest } from './nest/index.ts';
import { next } from './next/index.ts';
import { polka } from './polka/index.ts';
import { restify } from './restify/index.ts';
import { trpc } from './trpc/index.ts';

/** The frameworks by their names in configuration. */
export type FrameworkName =
  | 'express'
  | 'router'
  | 'fastify'
  | 'koa'
  | 'hono'
  | 'hapi'
  | 'nestjs-core'
  | 'connect'
  | 'polka'
  | 'restify'
  | 'find-my-way'
  | 'next'
  | 'graphql'
  | 'trpc'
  | 'grpc';

/** Every framework, in the order of the documentation. */
export const FRAMEWORKS: Readonly<Record<FrameworkName, FrameworkDefinition>> = {
  express,
  router,
  fastify,
  koa,
  hono,
  hapi,
  'nestjs-core': nest,
  connect,
  polka,
  restify,
  'find-my-way': findMyWay,
  next,
  graphql,
  trpc,
  grpc,
};
