"""An arena as RLlib's `MultiAgentEnv` (extra `ray`).

config = PPOConfig().environment(ArenaRLlibEnv, env_config={"config": "configs/arena/mixed.yaml"})
config = config.multi_agent(policies={"market_maker", "momentum"}, policy_mapping_fn=ArenaRLlibEnv.group_of)
"""

from typing import Any

from lobjax.arena.pettingzoo import ArenaParallelEnv
from lobjax.errors import InputError

try:
    from ray.rllib.env.multi_agent_env import MultiAgentEnv
except ImportError as error:
    raise InputError(f"RLlib of ray 2.46 or newer is needed ({error}); pip install 'lobjax[ray]'") from None


class ArenaRLlibEnv(MultiAgentEnv):
    """`ArenaParallelEnv` as RLlib asks for it: `env_config["config"]` is what that takes; agents by the same names."""

    def __init__(self, env_config: dict[str, Any] | None = None) -> None:
        super().__init__()
        if not env_config or "config" not in env_config:
            raise InputError("env_config: no 'config'; name an arena's YAML file, or give what is in one")
        self.parallel = ArenaParallelEnv(env_config["config"])
        self.possible_agents = self.parallel.possible_agents
        self.agents = list(self.possible_agents)
        self.observation_spaces = self.parallel.observation_spaces
        self.action_spaces = self.parallel.action_spaces

    @staticmethod
    def group_of(agent: str, *_: Any, **__: Any) -> str:
        """The group that an agent is of, as a `policy_mapping_fn`: seats of a group share a policy."""
        return agent.rpartition("_")[0]

    @property
    def groups(self) -> list[str]:
        """The names of all groups."""
        return [group.name for group in self.parallel.arena.groups]

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """(observations, infos)."""
        found = self.parallel.reset(seed, options)
        self.agents = list(self.parallel.agents)
        return found

    def step(self, action_dict: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """(observations, rewards, terminateds, truncateds, infos), with `__all__` where nobody is left."""
        observations, rewards, ends, cut, infos = self.parallel.step(action_dict)
        self.agents = list(self.parallel.agents)
        over = not self.agents
        ended = over and all(ends.values())
        return observations, rewards, ends | {"__all__": ended}, cut | {"__all__": over and not ended}, infos
