"""Learning in an arena: groups of seats that learn beside each other, against rules, saved agents and their past selves, in one program.

from lobjax.learn.arena import load_arena_config, start

run = start(load_arena_config("arena_smoke"), Path("runs/arena"))
run.agents["market_maker"], run.evaluation
"""

from lobjax.learn.arena.agents import load_agent, save_agent
from lobjax.learn.arena.comparing import ArenaEvaluation, Duel
from lobjax.learn.arena.config import ArenaEvaluationConfig, ArenaTrainConfig
from lobjax.learn.arena.curriculum import CurriculumConfig
from lobjax.learn.arena.groups import AgentPlay, GroupLearner, GroupPlay, OpponentsConfig, PoolPlay, RulePlay
from lobjax.learn.arena.reading import arena_config_from, load_arena_config
from lobjax.learn.arena.run import ArenaRun, resume, start

__all__ = [
    "AgentPlay", "ArenaEvaluation", "ArenaEvaluationConfig", "ArenaRun", "ArenaTrainConfig", "CurriculumConfig", "Duel", "GroupLearner",
    "GroupPlay", "OpponentsConfig", "PoolPlay", "RulePlay", "arena_config_from", "load_agent", "load_arena_config", "resume", "save_agent",
    "start",
]  # fmt: skip
